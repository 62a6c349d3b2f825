package main

import "strings"

// kind is the layer that a package belongs to.
type kind int

const (
	kindStdlib     kind = iota
	kindThirdParty      // another module
	kindGenerated       // gen/
	kindMigrations      // migrations/
	kindPlatform        // services/platform/NAME
	kindRoot            // services/NAME: the domain of a service
	kindChild           // services/NAME/CHILD, with everything below it
	kindFx              // services/NAME/NAMEfx: the wiring of a service
	kindCmd             // services/cmd/NAME
	kindOther           // anything else in the main module
)

// unit is what the rules need to know about an import path.
type unit struct {
	kind    kind
	path    string
	service string // kindRoot, kindChild and kindFx
	name    string // the folder below the service, platform or cmd
}

const module = "trunkline"

// unitOf reads the layer off an import path.
func unitOf(path string) unit {
	if path != module && !strings.HasPrefix(path, module+"/") {
		first, _, _ := strings.Cut(path, "/")
		if strings.Contains(first, ".") {
			return unit{kind: kindThirdParty, path: path}
		}
		return unit{kind: kindStdlib, path: path}
	}

	parts := strings.Split(path, "/")[1:]
	at := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch {
	case at(0) == "gen":
		return unit{kind: kindGenerated, path: path}
	case at(0) == "migrations":
		return unit{kind: kindMigrations, path: path}
	case at(0) != "services" || at(1) == "":
		return unit{kind: kindOther, path: path}
	case at(1) == "platform":
		return unit{kind: kindPlatform, path: path, name: at(2)}
	case at(1) == "cmd":
		return unit{kind: kindCmd, path: path, name: at(2)}
	case at(2) == "":
		return unit{kind: kindRoot, path: path, service: at(1)}
	case strings.HasSuffix(at(2), "fx"):
		return unit{kind: kindFx, path: path, service: at(1), name: at(2)}
	default:
		return unit{kind: kindChild, path: path, service: at(1), name: at(2)}
	}
}

// testSupport reports whether the package exists only for tests: its own name, or that of a folder above it, ends
// in test.
func (u unit) testSupport() bool {
	if u.kind != kindPlatform && u.kind != kindChild {
		return false
	}
	for segment := range strings.SplitSeq(u.path, "/") {
		if strings.HasSuffix(segment, "test") {
			return true
		}
	}
	return false
}

// wiring reports whether the package may know fx.
func (u unit) wiring() bool {
	return u.kind == kindFx || u.kind == kindCmd || u.kind == kindPlatform && strings.HasSuffix(u.name, "fx")
}

// benchmarks is the main that is not part of the product.
const benchmarks = "bench"

// shipped reports whether the package is part of the product. The benchmarks are a tool of the developers and may
// look at everything.
func (u unit) shipped() bool {
	return u.kind != kindCmd || u.name != benchmarks
}
