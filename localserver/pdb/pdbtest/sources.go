package pdbtest

import (
	"fmt"
	"strings"
)

// Sources returns a program of several translation units, file by file, that needs no
// run-time library and has what fills type and symbol records: templates, virtual and
// inline functions, lambdas, thread-local variables, unions, enumerations, bit fields,
// arrays, pointers to members, nested and anonymous types.
func Sources() map[string]string {
	return map[string]string{
		"shapes.h": shapes,
		"main.cpp": mainSource,
		"b.cpp":    secondSource,
		"c.cpp":    thirdSource,
		"d.c":      cSource,
	}
}

// Units are the sources that are compiled, in the order in which they are linked.
func Units() []string { return []string{"main.cpp", "b.cpp", "c.cpp", "d.c"} }

const shapes = `#pragma once
namespace geo {
enum class Kind : unsigned char { Round, Square, Odd = 200 };
enum { Loose = -5, Looser = 70000 };
struct Point { int x, y; double weight; };
class Shape {
public:
  virtual ~Shape() {}
  virtual double area(double scale) const = 0;
  virtual const char *name() const;
  Kind kind() const { return kind_; }
  static int count;
protected:
  Kind kind_ = Kind::Odd;
  union { int i; float f; Point *p; } u;
  struct { unsigned a : 3; unsigned b : 7; long long wide : 33; } bits;
};
class Circle : public Shape {
public:
  explicit Circle(double r) : r(r) { kind_ = Kind::Round; }
  double area(double scale) const override;
  double r;
  typedef double (Circle::*Method)(double) const;
  Method method = &Circle::area;
};
class Mixed : public virtual Shape, private Point {
public:
  double area(double) const override { return weight; }
  int Point::*member = &Point::x;
};
template <typename T, int N> struct Buffer {
  T data[N];
  struct Cursor { Buffer *of; int at; };
  __forceinline T sum() const { T s = T(); for (int i = 0; i < N; ++i) s += data[i]; return s; }
  template <typename F> T fold(F f) const { T s = T(); for (int i = 0; i < N; ++i) s = f(s, data[i]); return s; }
  Cursor begin() { return Cursor{this, 0}; }
};
template <typename... T> struct Pack;
template <> struct Pack<> {};
template <typename H, typename... T> struct Pack<H, T...> : Pack<T...> { H head; };
inline int twice(int x) { return x + x; }
extern __declspec(thread) int perThread;
}
`

const mainSource = `#include "shapes.h"
extern "C" { int _fltused = 0; int _tls_index; void *memset(void *p, int c, unsigned long long n) { char *q = (char *)p; while (n--) *q++ = (char)c; return p; } }
extern "C" void *memcpy(void *d, const void *s, unsigned long long n) { char *a = (char *)d; const char *b = (const char *)s; while (n--) *a++ = *b++; return d; }
extern "C" void _purecall(void) {}
void operator delete(void *) noexcept {}
double use_b(geo::Shape &); int use_c(int); extern "C" int use_d(int, const char *);
namespace { struct Local { geo::Pack<int, char, double> pack; wchar_t w; bool flag; }; Local local; }
int geo::Shape::count = 3;
const char *geo::Shape::name() const { return "shape"; }
double geo::Circle::area(double scale) const { return r * r * 3.14 * scale; }
int main() {
  geo::Circle c(2.5);
  geo::Buffer<int, 7> buf = {};
  auto add = [&](int a, int b) { return a + b + (int)c.r; };
  local.flag = buf.fold(add) != 0;
  geo::Mixed m; int geo::Point::*q = m.member;
  geo::perThread = geo::twice(use_c(buf.sum())) + (q != nullptr);
  return (int)use_b(c) + geo::perThread + use_d(local.flag, "x");
}
`

const secondSource = `#include "shapes.h"
struct OnlyB { geo::Buffer<double, 3> inner; OnlyB *next; int (*callback)(OnlyB &, ...); };
static OnlyB chain;
double use_b(geo::Shape &s) {
  struct Inside { double a; geo::Kind k; } i = { s.area(1.0), s.kind() };
  chain.inner.data[1] = i.a;
  return chain.inner.sum() + (i.k == geo::Kind::Round ? geo::twice(2) : geo::Loose);
}
`

const thirdSource = `#include "shapes.h"
namespace geo { __declspec(thread) int perThread = 9; }
template <typename T> static T deep(T v) { auto f = [v](auto w) { return v + w; }; return f(v) + f((T)2); }
int use_c(int x) {
  volatile int sink = 0;
  for (int i = 0; i < x; ++i) { const long long big = 0x123456789abLL; sink += (int)(big >> i) + geo::twice(i); }
  geo::Buffer<int, 7> same = {}; geo::Buffer<short, 2>::Cursor cur = {nullptr, 1};
  switch (x) { case 1: return deep(1); case 2: return deep((short)3); case 3: return cur.at; case 4: return 4; case 5: return 50; }
  return sink + same.sum() + geo::perThread;
}
`

const cSource = `typedef struct node { struct node *next; union { int i; float f; } value; enum { RED, BLACK } colour; } node;
typedef int (*compare)(const node *, const node *);
static node nodes[4];
static int order(const node *a, const node *b) { return a->value.i - b->value.i; }
int use_d(int n, const char *s) {
  compare c = order;
  node *p = &nodes[n & 3];
  p->next = nodes; p->colour = BLACK;
  return c(p, nodes) + *s;
}
`

// ManySections returns a source of n functions in COMDATs of their own, too many for
// a plain object where n is above 16,000.
func ManySections(n int) string {
	var b strings.Builder
	b.WriteString("template <int N> struct Tag { int v[1 + N % 5]; };\n")
	for i := range n {
		fmt.Fprintf(&b, "inline int many%d(int x) { return x * %d; }\n", i, i+1)
	}
	fmt.Fprintf(&b, "Tag<3> tag;\nint use_many(int x) {\n")
	for i := range n {
		fmt.Fprintf(&b, "x += many%d(x);\n", i)
	}
	b.WriteString("return x + tag.v[0]; }\n")
	return b.String()
}
