package main

import "slices"

// verdict says which rule an import breaks and what to do instead. The zero verdict allows it.
type verdict struct {
	rule    string
	instead string
}

// rootPlatform are the platform packages that a domain may use: values without technology.
var rootPlatform = []string{"caller", "fault", "e164", "money", "records", "secret"}

// rootLibraries are the modules that a domain may use: values without technology.
var rootLibraries = []string{"github.com/google/uuid"}

// testLibraries serve tests only. A path stands for everything below it.
var testLibraries = []string{
	"testing",
	"net/http/httptest",
	"github.com/stretchr/testify",
	"github.com/rogpeppe/go-internal/testscript",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
}

// fxLibraries are the wiring framework.
var fxLibraries = []string{"go.uber.org/fx", "go.uber.org/dig"}

// platformGenerated is the generated code that the platform may use: options that describe RPCs of any area.
const platformGenerated = module + "/gen/go/trunkline/options"

// sharedFormat is the one platform package whose subject is a format between two services (ADR 32): operators writes
// artifacts and manifests, routing reads them, and both must agree to the byte.
const sharedFormat = "release"

// sharedFormatGenerated is what that format is made of.
var sharedFormatGenerated = []string{module + "/gen/go/trunkline/releases", module + "/gen/go/trunkline/routing"}

// judge applies every rule to one import of one file.
func judge(from unit, test bool, to unit) verdict {
	if within(to.path, fxLibraries...) && !from.wiring() {
		return verdict{
			"only *fx packages and services/cmd know fx",
			"take plain parameters in a constructor and provide it from the *fx package",
		}
	}
	// Nothing below limits a developer tool, or the tests of a main: they put whole processes together.
	if !from.shipped() || from.kind == kindCmd && test {
		return verdict{}
	}
	if (to.testSupport() || within(to.path, testLibraries...)) && !test && !from.testSupport() {
		return verdict{
			"test support is for _test.go files and *test packages",
			"move the code into a _test.go file, or into a package whose name ends in test",
		}
	}

	switch from.kind {
	case kindRoot, kindChild, kindFx:
		return judgeService(from, test, to)
	case kindPlatform:
		return judgePlatform(test, from, to)
	case kindCmd:
		return judgeCmd(to)
	case kindMigrations:
		if to.path != from.path && inServices(to) {
			return verdict{"migrations know no service", "pass what the service needs to the package that runs the migrations"}
		}
	}
	return verdict{}
}

func judgeService(from unit, test bool, to unit) verdict {
	switch {
	case to.service != "" && to.service != from.service:
		return verdict{
			"services never import each other",
			"call it through the generated client in gen/ and pin what you expect with a pact, or move what is technical and shared to services/platform",
		}
	case to.kind == kindCmd:
		return verdict{"nothing imports a main", "move the code to the package that it is about"}
	case to.kind == kindOther:
		return verdict{"services import services/platform and gen/ only", "move the package below services/"}
	case test:
		return verdict{}
	case to.kind == kindMigrations:
		return verdict{"only services/cmd and tests import migrations", "take an fs.FS in the constructor and pass the migrations from the main"}
	}

	switch from.kind {
	case kindRoot:
		return judgeRoot(to)
	case kindChild:
		if from.testSupport() || to.service == "" || to.kind == kindRoot || to.name == from.name {
			return verdict{}
		}
		if to.kind == kindFx {
			return verdict{"wiring is imported by services/cmd only", "take what you need in a constructor"}
		}
		return verdict{
			"children of a service do not import each other",
			"move what both need to services/" + from.service + ", or declare a small interface where you use it and connect the two in the *fx package",
		}
	default:
		return verdict{}
	}
}

func judgeRoot(to unit) verdict {
	const rule = "the root of a service is its domain: standard library, platform/{caller,fault,e164,money,secret} and value libraries"
	switch to.kind {
	case kindPlatform:
		if !slices.Contains(rootPlatform, to.name) {
			return verdict{rule, "declare the interface you need here and let a child package meet it with the platform package"}
		}
	case kindThirdParty:
		if !within(to.path, rootLibraries...) {
			return verdict{rule, "move the code to a child package named for the technology; a pure value library may be added to rootLibraries in tools/check/imports"}
		}
	case kindGenerated:
		return verdict{rule, "use domain types here and convert in the child package rpc or bus"}
	case kindChild, kindFx:
		return verdict{rule, "declare the interface you need here; the child package meets it and the *fx package connects the two"}
	}
	return verdict{}
}

func judgePlatform(test bool, from, to unit) verdict {
	switch to.kind {
	case kindRoot, kindChild, kindFx, kindCmd, kindOther:
		return verdict{"the platform knows no service", "take a parameter or a small interface, and let the service pass it in"}
	case kindGenerated:
		format := from.name == sharedFormat && within(to.path, sharedFormatGenerated...)
		if !test && !within(to.path, platformGenerated) && !format {
			return verdict{"the platform holds no domain word: of gen/ it knows the options only", "move the code to the service that the messages belong to"}
		}
	case kindMigrations:
		if !test {
			return verdict{"only services/cmd and tests import migrations", "take an fs.FS in the constructor"}
		}
	}
	return verdict{}
}

func judgeCmd(to unit) verdict {
	switch to.kind {
	case kindChild, kindOther:
		return verdict{
			"a main imports *fx packages, domains, services/platform, gen/ and migrations",
			"provide it from the *fx package of the service, or call the service through its generated client",
		}
	}
	return verdict{}
}

// inServices reports whether the package belongs to a service or is a main.
func inServices(u unit) bool {
	return u.service != "" || u.kind == kindCmd
}

// within reports whether path is one of roots or lies below one.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || len(path) > len(root) && path[:len(root)] == root && path[len(root)] == '/'
	})
}
