// Package script is what all scripts of the integration tests share: an
// installation of rexwrap for each, and the commands that compare it with the
// bare compilers. Only tests use it.
package script
