package console

import (
	"embed"
	"io/fs"
)

// A clone has nothing but .gitkeep in it, so that Go builds without Node.
//
//go:embed all:dist
var dist embed.FS

// Bundle is the console that was built into this binary. It is empty where the console was not built.
func Bundle() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for a path that is not valid
	}
	return sub
}
