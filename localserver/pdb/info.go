package pdb

import "slices"

// The info stream of a PDB.
//
//	info     = 20000404:u32 signature:u32 age:u32 GUID[16] names feature:u32*
//	names    = bytes:u32 (name NUL)* size:u32 capacity:u32 present deleted
//	           (key:u32 stream:u32)* niMac:u32
//	present  = words:u32 word:u32{words}
//	deleted  = words:u32 word:u32{words}
//
// signature is a time stamp, 1 in reproducible builds. Type servers name one stream,
// /names; a key is the offset of the name in the names' bytes.
const (
	infoVersion  = 20000404
	ageOffset    = 8
	guidOffset   = 12
	infoHead     = 28
	featureVC140 = 20140508
	namesName    = "/names"
)

// Info is the head of a PDB.
type Info struct {
	Signature uint32
	Age       uint32
	GUID      GUID
	// Features are the codes at the stream's end. One that is not VC140
	// changes what records mean.
	Features []uint32

	names int // number of the stream /names, 0 for none
}

// encode returns the info stream of a type server with /names in stream names.
func (i *Info) encode() []byte {
	out := appendNumbers(nil, []uint32{infoVersion, i.Signature, i.Age})
	out = append(out, i.GUID[:]...)
	out = appendNumbers(out, []uint32{uint32(len(namesName) + 1)})
	out = append(append(out, namesName...), 0)
	out = appendNumbers(out, []uint32{1, 2, 1, 2, 0, 0, uint32(i.names), 0})
	return appendNumbers(out, i.Features)
}

func parseInfo(data []byte) (Info, error) {
	var info Info
	r := fields{data: data}
	if version := r.u32(); r.failed || version != infoVersion {
		return info, malformed("info stream version %d", version)
	}
	info.Signature, info.Age = r.u32(), r.u32()
	copy(info.GUID[:], r.bytes(16))
	names := r.bytes(r.u32())
	info.names = int(r.stream(names, namesName))
	r.u32() // niMac
	for !r.failed && len(r.data) >= 4 {
		info.Features = append(info.Features, r.u32())
	}
	if r.failed {
		return info, malformed("info stream of %d bytes", len(data))
	}
	return info, nil
}

// supported reports whether records mean what this package knows.
func (i *Info) supported() error {
	if !slices.Contains(i.Features, featureVC140) {
		return &UnsupportedError{What: "PDB without VC140 feature"}
	}
	for _, f := range i.Features {
		if f != featureVC140 {
			return &UnsupportedError{What: "feature", Kind: f}
		}
	}
	return nil
}

// stream reads the hash table behind the names' bytes and returns the stream that name
// stands for, 0 for none.
func (f *fields) stream(names []byte, name string) uint32 {
	size, _ := f.u32(), f.u32()
	f.bytes(4 * min(f.u32(), 1<<20)) // present
	f.bytes(4 * min(f.u32(), 1<<20)) // deleted
	var number uint32
	for ; size > 0 && !f.failed; size-- {
		key, value := f.u32(), f.u32()
		if rest := string(names[min(uint64(key), uint64(len(names))):]); len(rest) > len(name) && rest[:len(name)+1] == name+"\x00" {
			number = value
		}
	}
	return number
}
