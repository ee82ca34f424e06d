//go:build linux

package relocation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// project is the tree in which the rows compile. Its folder is $P; $E is a
// folder beside it, and $B one that has nothing to do with it. "NAME -> TARGET"
// is a symbolic link.
const project = `
-- proj/src/plain.c --
#include "local.h"
#include <k.h>
#include "gen.h"
#include <stddef.h>
static int twice(struct local *l) { return l->n * K2; }
int plain(struct local *l, size_t n) { return twice(l) + inlined((int)n) + GEN; }
-- proj/src/file.c --
#include <assert.h>
#include "local.h"
#include "where.h"
#include <k.h>
const char *file(void) { return __FILE__; }
const char *base(void) { return __BASE_FILE__; }
const char *header(void) { return local_file(); }
int check(struct local *l) { assert(l->n); return inlined(l->n); }
-- proj/src/local.h --
struct local { int n; };
-- proj/src/where.h --
static inline const char *local_file(void) { return __FILE__; }
-- proj/inc/sys/s.h --
#include "sys/t.h"
static inline int from_system(int n) { return n + T; }
static inline const char *system_file(int first, ...) { return __FILE__; }
-- proj/inc/sys/t.h --
#define T 11
-- proj/src/sys.c --
#include <sys/s.h>
int sys(int n) { return from_system(n); }
-- proj/inc/k.h --
#ifndef K_H
#define K_H
#include "deep/d.h"
static inline int inlined(int n) { return n + K2; }
#endif
-- proj/inc/deep/d.h --
#include "../k2.h"
-- proj/inc/k2.h --
#define K2 42
-- proj/build/gen/gen.h --
#define GEN 7
-- proj/build/obj/keep --
-- proj/src/warn.c --
#include "local.h"
#include <k.h>
int warned(struct local *l) { int unused; char c = 1000; return l->n + c + missing(); }
-- proj/src/error.c --
#include "local.h"
#include <k.h>
#error stop here
-- proj/src/plain.cc --
#include <string>
#include <vector>
#include <cassert>
#include "local.h"
#include <k.h>
namespace { struct Counter { Counter() : n(inlined(1)) {} int n; } counter; }
template <class T> T sum(const std::vector<T> &v) { T s{}; for (auto &x : v) { assert(x != T{}); s += x; } return s; }
std::string name() { return std::string(__FILE__) + std::to_string(sum(std::vector<int>{1, 2})) + std::to_string(counter.n); }
-- proj/src/hidden.cc --
#include "local.h"
namespace { struct S { S(); ~S(); int n; }; S::S() : n(1) {} S::~S() { n = 0; } S s; }
-- proj/src/signature.cc --
template <class T> const char *name(T) { return __PRETTY_FUNCTION__; }
const char *one() { return name(1); }
-- proj/src/asm.S --
#include "asm.h"
	.text
	.globl routine
routine:
	mov $VALUE, %eax
	ret
-- proj/src/asm.h --
#define VALUE 3
-- proj/src/bare.s --
	.text
	.globl bare
bare:
	ret
-- proj/src/blob.S --
	.data
	.incbin "blob.bin"
-- proj/src/blob.bin --
some bytes
-- proj/src/counter.c --
int counter = __COUNTER__;
#line 7 "/elsewhere/grammar.y"
int from_grammar(void) { return counter; }
-- proj/src/date.c --
const char *day = __DATE__;
-- proj/src/stamp.c --
const char *stamp = __TIMESTAMP__;
-- proj/src/climb.c --
#include "../inc/deep/../k.h"
int climb(void) { return inlined(1); }
-- proj/src/literal.c --
#include "PROJECT/inc/k2.h"
int literal = K2;
-- proj/src/linked.c --
#include "link.h"
#include "dir/k.h"
int linked(void) { return inlined(LINKED); }
-- proj/src/away.c --
#include "leaf.h"
int away = LEAF;
-- proj/src/link.h -> ../inc/linked.h --
-- proj/src/dir -> ../inc --
-- proj/inc/linked.h --
#define LINKED 5
-- proj/src/leaf.h -> ../../ext/include/leaf.h --
-- proj/src/far.h -> EXTERN/include/leaf.h --
-- proj/src/far.c --
#include "far.h"
const char *far_file = __FILE__;
int far = LEAF;
-- proj/src/outer.c --
#include <ext.h>
#include "local.h"
int outer(struct local *l) { return ext(l->n); }
-- ext/include/ext.h --
#define EXT 9
#include "../common.h"
static inline int ext(int n) { return n + EXT + COMMON; }
-- ext/include/leaf.h --
#define LEAF 13
-- ext/common.h --
#define COMMON 1
-- build/keep --
-- proj/flags.rsp --
-DQUOTED="two words" -I inc -O2
`

// writeTree writes the project below dir.
func writeTree(t *testing.T, dir string) {
	t.Helper()
	text := strings.NewReplacer("PROJECT", filepath.Join(dir, "proj"), "EXTERN", filepath.Join(dir, "ext")).Replace(project)
	for _, f := range txtar.Parse([]byte(text)).Files {
		name, target, link := strings.Cut(f.Name, " -> ")
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if link {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, f.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
