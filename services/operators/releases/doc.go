// Package releases connects the releases of the control plane to the format and the places in which engines read them:
// drafts become artifacts, what is in force becomes a signed manifest, and what engines say about it is heard.
package releases
