// Package proc is what a process is told at its start (arguments, environment,
// its own file) and how it learns of signals, for a program that lives for a
// millisecond. Only the wrapper uses it.
//
// On Linux it reaches the functions of the runtime that packages os and
// os/signal stand on by linkname, because linking these two costs every compile
// of a build: an empty program starts in 1.59 ms on the machine this was
// measured on, with os in 1.75 ms, with this package in 1.62 ms (medians of 600
// interleaved starts; most of the difference is package time's initialiser). On
// other systems it is a thin layer over os and os/signal. A test holds both
// against each other, so a runtime that changes these functions is noticed.
package proc
