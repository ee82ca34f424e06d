// Package arch holds rules that the whole tree obeys, as data and tests: which
// package may import what, one package comment each, no initialisers, no
// hidden state, documented exports, functions of a readable length. It holds no
// other code.
package arch
