package rpc

// Observer counts what callers asked for, by how it ended.
type Observer interface {
	OperatorCreated(err error)
	OperatorUpdated(err error)
	OperatorDeleted(err error)
	RuleCreated(err error)
	CredentialsRead(err error)
}
