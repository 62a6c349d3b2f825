// Package control asks operator-management, over its internal API, for what an engine cannot get the usual way: the
// rules while the database is out of reach, and health while neither events nor the shared cache tell of it.
package control
