package main

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const serverOption = "-mspdbsrv"

// serve does nothing: on Windows a database with /FS is waited for.
func serve(string) {}

// lock takes the database for one compile: nobody else can open its lock file.
func (l *line) lock() (unlock func(), err error) {
	path, err := syscall.UTF16PtrFromString(l.pdb() + ".lock")
	if err != nil {
		return nil, err
	}
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		h, err := syscall.CreateFile(path, syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			return func() { _ = syscall.CloseHandle(h); _ = os.Remove(l.pdb() + ".lock") }, nil
		}
		if !l.shares || !errors.Is(err, syscall.Errno(32)) || time.Since(begin) > time.Minute {
			return nil, fail("C1041: cannot open program database '%s'; if multiple CL.EXE write to the same .PDB file, please use /FS", l.pdb())
		}
	}
}
