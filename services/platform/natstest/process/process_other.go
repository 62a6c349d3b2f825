//go:build !linux

package process

import "syscall"

// dieWithParent has no equivalent outside Linux: there t.Cleanup alone stops the child.
func dieWithParent() *syscall.SysProcAttr { return nil }

func isStopped(int) (stopped, known bool) { return false, false }
