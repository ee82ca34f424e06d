//go:build unix

package pdbsession

import "path/filepath"

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }

// foldPath returns what is equal for paths of one file: here names differ by case.
func foldPath(path string) string { return path }
