package release

import (
	"fmt"

	"trunkline/services/platform/fault"
)

// Faults of this package and of those who fetch and follow releases. Test for them with errors.Is. Their reasons are
// what engines report.
var (
	// ErrDigest means that an artifact's bytes are not those that its name stands for: it was damaged or exchanged.
	ErrDigest = fault.New(fault.FailedPrecondition, "ARTIFACT_DIGEST",
		"The artifact's bytes are not the ones that its digest names. Publish another release, or restore the artifact.")
	// ErrCut means that an artifact ends too early.
	ErrCut = fault.New(fault.FailedPrecondition, "ARTIFACT_CUT", "The artifact ends too early. Restore it, or publish another release.")
	// ErrLayout means that an artifact is what its digest names, and cannot be understood or used.
	ErrLayout = fault.New(fault.FailedPrecondition, "ARTIFACT_LAYOUT",
		"The artifact has a layout that this version does not read. Update this process, or compile the release again.")
	// ErrSize means that an artifact is larger than allowed, or has another size than its manifest says.
	ErrSize = fault.New(fault.FailedPrecondition, "ARTIFACT_SIZE", "The artifact has another size than it should, or is larger than allowed.")
	// ErrMissing means that the store does not hold an artifact.
	ErrMissing = fault.New(fault.Unavailable, "ARTIFACT_MISSING", "The store does not hold the artifact.")
	// ErrContent means that rows cannot be compiled. The message names the first one.
	ErrContent = fault.New(fault.FailedPrecondition, "ARTIFACT_CONTENT", "The content cannot be compiled.")

	// ErrSignature means that a manifest was not signed by the key that it names.
	ErrSignature = fault.New(fault.FailedPrecondition, "MANIFEST_SIGNATURE", "The manifest's signature is not valid. Publish again to replace it.")
	// ErrKey means that a manifest names a key that is not trusted here.
	ErrKey = fault.New(fault.FailedPrecondition, "MANIFEST_KEY",
		"The manifest is signed with a key that is not trusted here. Add the public key to the trusted ones.")
	// ErrEnvironment means that a manifest is for another environment.
	ErrEnvironment = fault.New(fault.FailedPrecondition, "MANIFEST_ENVIRONMENT", "The manifest is for another environment.")
	// ErrOld means that a manifest has a lower revision than one that was accepted before.
	ErrOld = fault.New(fault.FailedPrecondition, "MANIFEST_OLD", "The manifest is older than the one that was accepted before.")
	// ErrManifest means that a manifest cannot be understood or used.
	ErrManifest = fault.New(fault.FailedPrecondition, "MANIFEST_LAYOUT",
		"The manifest has a layout that this version does not read. Update this process, or publish again.")
)

// layout is an ErrLayout with what is wrong as its cause.
func layout(format string, args ...any) error {
	return ErrLayout.Wrap(fmt.Errorf(format, args...))
}
