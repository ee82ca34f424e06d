// Package projects builds real projects by their own build systems: plain,
// through rexwrap with an empty cache, again with a warm one, and in a second
// checkout at another path. Everything that the builds leave must be the same;
// in the warm build every compile that is not passed on must be a hit.
//
// Two small projects belong to the ordinary tests. REXWRAP_TEST_PROJECTS=all
// adds the large ones, and Rust programs whose crates are Debian's packages: these
// are built warm under strace, which sees that no compiler runs.
package projects
