package pipeline

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/journal"
)

// lookUp answers from the cache. It reports false for a miss.
func (r *request) lookUp() (bool, error) {
	if r.settings.Recache {
		r.missed = journal.ReasonRecache
		return false, nil
	}
	c := r.candidate()
	r.step(journal.StepManifest)
	if c == nil {
		return false, nil
	}
	v := c.result(r.streams)
	if v == nil {
		r.missed = journal.ReasonVariant
		return false, nil
	}
	res := r.stored(v)
	r.step(journal.StepLookup)
	if res == nil {
		r.far.candidate, r.far.variant = c, v
		return false, nil
	}
	if r.sampled() {
		r.verify, r.verified, r.missed = res, v.Action, journal.ReasonVerify
		return false, nil
	}
	r.record.Action = v.Action
	r.record.Saved = res.Cost.journal()
	r.record.Key.Inputs = c.List
	r.noteVariables(c)
	ok, err := r.answer(res)
	r.step(journal.StepMaterialize)
	if !ok && err == nil {
		r.p.store.DeleteResult(v.Action)
		r.far.candidate, r.far.variant = c, v
	}
	return ok, err
}

// serving returns v as what serves each kind of streams that res does. What was printed
// to one of two streams is printed where they are one file too; of what was printed to one
// file it is not known to which of them.
func (v Variant) serving(res *Result) []Variant {
	list := []Variant{v}
	if v.Streams == "" && !res.quiet() && res.onOneStream() {
		v.Streams = oneFile()
		list = append(list, v)
	}
	return list
}

// serves reports whether what res, of v, printed is what the compiler would have printed
// to this call's streams.
func (r *request) serves(v *Variant, res *Result) bool {
	return res.quiet() || slices.ContainsFunc(v.serving(res), func(v Variant) bool { return v.Streams == r.streams })
}

// stored returns the result of v, nil where the store has none any more.
func (r *request) stored(v *Variant) *Result {
	data, err := r.p.store.Result(v.Action)
	if err != nil {
		return nil
	}
	res, err := DecodeResult(data)
	if err != nil {
		r.p.store.DeleteResult(v.Action)
		return nil
	}
	return res
}

// candidate returns the first candidate of the manifest whose every input is as
// it was, nil where there is none.
func (r *request) candidate() *Candidate {
	if p := r.prepared(); p != nil {
		return r.matching(p)
	}
	return nil
}

// matching returns the first candidate of p whose every input is as it was.
func (r *request) matching(p *prepared) *Candidate {
	i, _ := r.p.files.First(p.sets)
	for ; i >= 0 && i < len(p.sets); i++ {
		c := p.manifest.Candidates[i]
		want, err := guard(c.Needs, r.compile, r.at, r.p.o.Now())
		if err == nil && want == c.Guard && r.timesHold(c) && r.crateHolds(c) {
			return c
		}
		j, _ := r.p.files.First(p.sets[i+1:])
		if j < 0 {
			return nil
		}
		i += j
	}
	return nil
}

// timesHold reports whether the files whose modification time counts have the
// one that c remembers.
func (r *request) timesHold(c *Candidate) bool {
	for _, t := range c.Times {
		info, err := os.Stat(r.call.Abs(r.at.spell(t.Path)))
		if err != nil || info.ModTime().Unix() != t.ModTime {
			return false
		}
	}
	return true
}

// prepared returns the manifest ready to be checked here, nil where there is
// none.
func (r *request) prepared() *prepared {
	key := preparedKey{r.manifest, r.at}
	if p := r.p.prepared.get(key); p != nil {
		return p
	}
	m := r.p.manifest(r)
	if m == nil {
		return nil
	}
	p := prepare(r.p.files, m, r.at)
	r.p.prepared.put(key, p)
	return p
}

// manifest returns the stored manifest of r, nil where there is none.
func (p *Pipeline) manifest(r *request) *Manifest {
	data, err := p.store.Manifest(r.manifest)
	if err != nil {
		if !errors.Is(err, diskstore.ErrNotFound) {
			p.log.Warn().Err(err).Msg("read manifest")
		}
		return nil
	}
	m, err := decodeManifest(data)
	if err != nil {
		p.store.DeleteManifest(r.manifest)
		return nil
	}
	return m
}

// remember adds c to the manifest of r.
func (p *Pipeline) remember(r *request, c *Candidate) error {
	p.updates.Lock()
	defer p.updates.Unlock()
	m := p.manifest(r)
	if m == nil {
		m = &Manifest{}
	}
	m.add(c)
	if err := p.store.PutManifest(r.manifest, m.encode()); err != nil {
		return err
	}
	p.prepared.put(preparedKey{r.manifest, r.at}, prepare(p.files, m, r.at))
	return nil
}

// journal returns c in the journal's terms.
func (c Cost) journal() journal.Cost {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return journal.Cost{Wall: us(c.Wall), User: us(c.User), Sys: us(c.Sys), MaxRSS: c.MaxRSS}
}
