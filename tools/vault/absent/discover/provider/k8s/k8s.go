package k8s

// Provider is left out.
type Provider struct{}
