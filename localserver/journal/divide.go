package journal

import "github.com/rexwrap/rexwrap/client/digest"

// How many entries a part of a list has: on average and at most. It then is small
// enough for an index (about 700 bytes).
const (
	partFiles  = 16
	partAbsent = 64
	partExcess = 2
)

// Put stores l by put, and returns what names it in KeyParts.Inputs. Compiles read
// much the same headers: l is divided where its content says, so that the parts are
// those of other lists.
func (l *InputList) Put(put func(part []byte) (digest.Digest, error)) (digest.Digest, error) {
	e := encoder{}
	e.u8(dividedVersion)
	parts := l.divide()
	e.uint(uint64(len(parts)))
	for i := range parts {
		d, err := put(parts[i].Encode())
		if err != nil {
			return digest.Digest{}, err
		}
		e.digest(d)
	}
	return put(e.buf)
}

func (l *InputList) divide() []InputList {
	var parts []InputList
	for files := l.Files; len(files) > 0; {
		n := length(len(files), partFiles, func(i int) string { return files[i].Path })
		parts = append(parts, InputList{Files: files[:n]})
		files = files[n:]
	}
	for absent := l.Absent; len(absent) > 0; {
		n := length(len(absent), partAbsent, func(i int) string { return absent[i] })
		parts = append(parts, InputList{Absent: absent[:n]})
		absent = absent[n:]
	}
	return parts
}

// length returns how many of n entries are one part.
func length(n, average int, path func(i int) string) int {
	most := min(n, average*partExcess)
	for i := range most {
		if hash(path(i))%uint32(average) == 0 {
			return i + 1
		}
	}
	return most
}

// hash is the 32 bit FNV-1a hash.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// list returns the list that d names, nil where it, or a part of it, is gone.
func (j *Journal) list(d digest.Digest) *InputList {
	if j.blobs == nil || d.IsZero() {
		return nil
	}
	data, err := j.blobs.Blob(d)
	if err != nil || len(data) == 0 {
		return nil
	}
	if data[0] != dividedVersion {
		return part(data)
	}
	parts, err := decodeDivided(data)
	if err != nil {
		return nil
	}
	whole := &InputList{}
	for _, d := range parts {
		data, err := j.blobs.Blob(d)
		if err != nil {
			return nil
		}
		l := part(data)
		if l == nil {
			return nil
		}
		whole.Files, whole.Absent = append(whole.Files, l.Files...), append(whole.Absent, l.Absent...)
	}
	return whole
}

// part returns the list that data is, nil where it is malformed.
func part(data []byte) *InputList {
	l, err := DecodeInputList(data)
	if err != nil {
		return nil
	}
	return l
}

// decodeDivided returns the parts of a list. The error is ErrMalformed.
func decodeDivided(data []byte) ([]digest.Digest, error) {
	d := decoder{buf: data}
	if d.u8() != dividedVersion {
		return nil, ErrMalformed
	}
	parts := make([]digest.Digest, d.count(digest.Size))
	for i := range parts {
		parts[i] = d.digest()
	}
	return parts, d.err()
}
