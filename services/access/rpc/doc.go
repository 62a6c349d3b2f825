// Package rpc serves AccountService, ApiKeyService and AuditService.
package rpc
