//go:build !windows

package main

import (
	"errors"
	"os"
)

func rawCommandLine() string { return "" }

func isAlive(int) bool { return false }

func openAs(string, string) (*os.File, error) { return nil, errors.ErrUnsupported }
