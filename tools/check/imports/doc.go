// Command imports checks who imports whom among the packages of the main module.
//
// The direction is: the root of a service knows only the standard library, a few value packages of the platform
// and value libraries; its children know their root, the platform, the generated code and other people's
// modules; the *fx packages know their whole service; the mains know the *fx packages. Services never know
// each other, and nothing outside tests knows test support.
//
// Files are read one by one rather than through the build, so build tags hide nothing.
package main
