// Rexwrap stands in front of a compiler: `rexwrap gcc -c x.c` gives what
// `gcc -c x.c` gives, sooner. It also answers to the verbs of rexd; see
// `rexwrap help`.
package main

import "github.com/rexwrap/rexwrap/wrapper"

func main() { wrapper.Main() }
