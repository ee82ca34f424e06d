// Package rig is what the integration tests and programs share: rexwrap built
// as it is released, in an installation that is private to one test (cache
// directory, socket, home, temp directory), commands run in it, and what they
// left, comparable down to modes and link counts.
//
// It runs on Linux, where the tests that use it run.
package rig
