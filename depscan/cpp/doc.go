// Package cpp is the exact include scanner.
package cpp
