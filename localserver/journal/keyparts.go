package journal

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/rexwrap/rexwrap/client/digest"
)

// KeyParts are what the key of a compile was made of, in a form that tells
// which part differs between two compiles of one output.
type KeyParts struct {
	// Args is the canonical argument list: without the program, without
	// the output's name, in the order that is hashed.
	Args []string
	// Env are the variables that the compiler reads, sorted by name.
	Env []Variable
	// Dir is the working directory where it is in the key, else empty.
	Dir string
	// Toolchain is the compiler's identity; Programs names the blob of its
	// ProgramList.
	Toolchain, Programs digest.Digest
	// Source is the digest of the source, Inputs is what InputList.Put
	// returned, zero where the inputs never became known.
	Source, Inputs digest.Digest
}

// complete reports whether the inputs are known, as they are not of a compile
// that failed.
func (k *KeyParts) complete() bool { return !k.Inputs.IsZero() }

// A Variable is an environment variable without its value.
type Variable struct {
	Name string
	// Sum is 0 where the variable is unset, else 32 bits of a hash of name
	// and value: enough to see a change.
	Sum uint32
}

// NewVariable returns the Variable for a value, or for an unset variable where
// set is false.
func NewVariable(name, value string, set bool) Variable {
	if !set {
		return Variable{Name: name}
	}
	sum := sha256.Sum256([]byte(name + "=" + value))
	return Variable{Name: name, Sum: max(1, binary.LittleEndian.Uint32(sum[:]))}
}

// An InputList is what a compile read and what it looked for in vain.
type InputList struct {
	Files  []Input  // sorted by Path
	Absent []string // sorted
}

// A ProgramList is what a toolchain consists of, sorted by Path.
type ProgramList []Input

// An Input is one file by content. An absent program has the zero Digest.
type Input struct {
	Path   string
	Digest digest.Digest
}
