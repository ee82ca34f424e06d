package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A world is a client and a server over a network of a bubble: what takes time
// is the network and what waits, never the machine.
type world struct {
	link    *clienttest.Link
	server  *clienttest.Server
	conn    *client.Conn
	cache   actioncache.Cache
	store   *cas.Remembering
	notices notices
	start   time.Time
}

func newWorld(t *testing.T, roundTrip time.Duration, o clienttest.Options) *world {
	w := &world{link: &clienttest.Link{RoundTrip: roundTrip}}
	o.Link = w.link
	w.server = clienttest.New(t, o)
	w.conn = w.server.Dial(t, client.Options{CallTimeout: 5 * time.Second, Notify: w.notices.add})
	w.cache = actioncache.NewRemote(w.conn, actioncache.Options{})
	w.store = cas.NewRemembering(cas.NewMerging(cas.NewRemote(w.conn, digest.SHA256), 2*time.Millisecond), time.Hour, 1<<20)
	w.start = time.Now()
	return w
}

// objectOf is what action number i makes: 100 kB.
func objectOf(i int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "object %6d...\n", i), 6000)
}

func actionOf(i int) digest.Digest { return digest.OfString(fmt.Sprint("action ", i)) }

// fill makes the server know the results of n actions.
func (w *world) fill(n int) {
	for i := range n {
		w.server.SetResult(actionOf(i), &repb.ActionResult{
			OutputFiles: []*repb.OutputFile{{Path: "x.o", Digest: merkle.Proto(w.server.Put(objectOf(i)))}},
		})
	}
}

// hit does what a remote hit needs.
func (w *world) hit(ctx context.Context, i int) error {
	msg, err := w.cache.Get(ctx, actionOf(i), "x.o")
	if err != nil {
		return err
	}
	result, err := action.ReadResult(msg, []string{"x.o"}, digest.SHA256)
	if err != nil {
		return err
	}
	object, err := cas.Read(ctx, w.store, result.Files["x.o"].Digest)
	if err == nil && !bytes.Equal(object, objectOf(i)) {
		err = errors.New("another object")
	}
	return err
}

// each runs do for 0 to n-1, some at once, and returns the errors.
func each(ctx context.Context, n, atOnce int, do func(context.Context, int) error) (errs []error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx, i); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return errs
}

func TestHundredHitsOverASlowNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50*time.Millisecond, clienttest.Options{})
		w.fill(100)
		if errs := each(t.Context(), 100, 32, w.hit); len(errs) > 0 {
			t.Errorf("%d errors, the first is %v", len(errs), errs[0])
		}
		// To connect, for the capabilities, and four times for a result and
		// its object; as many for whatever gRPC has to say.
		if took := time.Since(w.start); took > 1200*time.Millisecond {
			t.Errorf("it took %s", took)
		} else {
			t.Logf("it took %s", took)
		}
		if n := w.server.Calls("GetActionResult") + w.server.Calls("BatchReadBlobs"); n != 200 {
			t.Errorf("%d calls, want 2 for each hit", n)
		}
	})
}

// However many ask at once, nobody waits for long.
func TestThousandHitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50*time.Millisecond, clienttest.Options{})
		w.fill(1000)
		var mu sync.Mutex
		var took []time.Duration
		errs := each(t.Context(), 1000, 1000, func(ctx context.Context, i int) error {
			err := w.hit(ctx, i)
			mu.Lock()
			took = append(took, time.Since(w.start))
			mu.Unlock()
			return err
		})
		if len(errs) > 0 {
			t.Errorf("%d errors, the first is %v", len(errs), errs[0])
		}
		slices.Sort(took)
		if median, late := took[500], took[990]; late > 3*median {
			t.Errorf("the median takes %s, the 990th %s", median, late)
		}
	})
}

// An address where packets vanish costs a build the time to connect, once.
func TestBlackHoleCostsOneConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nobody := new(clienttest.Link)
		conn, err := client.Dial(client.Options{Address: "grpc://nobody", Dialer: nobody.Dial})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		errs := each(t.Context(), 200, 16, func(ctx context.Context, _ int) error { return missing(ctx, conn) })
		if len(errs) != 200 {
			t.Errorf("%d errors", len(errs))
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestHitsOverABadNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 300*time.Millisecond, clienttest.Options{})
		w.fill(500)
		w.server.Fault(&clienttest.Fault{Every: 100, Reset: true})
		errs := each(t.Context(), 500, 32, w.hit)
		if len(errs) > 0 {
			t.Errorf("%d errors, the first is %v", len(errs), errs[0])
		}
		if got := w.notices.all(); len(got) > 0 {
			t.Errorf("notices %q", got)
		}
		if n := w.link.Dials(); n < 8 {
			t.Errorf("%d connections: nothing was reset", n)
		}
		t.Logf("it took %s over %d connections", time.Since(w.start), w.link.Dials())
		if took := time.Since(w.start); took > 40*time.Second { // 10 s without resets
			t.Errorf("it took %s", took)
		}
	})
}

func TestExhaustionIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Millisecond, clienttest.Options{})
		w.fill(100)
		w.server.Fault(&clienttest.Fault{Method: "GetActionResult", To: 40, Code: codes.ResourceExhausted})
		if errs := each(t.Context(), 100, 16, w.hit); len(errs) > 0 {
			t.Errorf("%d errors, the first is %v", len(errs), errs[0])
		}
		if got := w.notices.all(); len(got) > 0 {
			t.Errorf("notices %q", got)
		}
	})
}

// A remote that accepts everything and answers nothing costs a build the
// patience for one call.
func TestHangingRemoteCostsOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Millisecond, clienttest.Options{})
		w.server.Fault(&clienttest.Fault{Hang: true})
		errs := each(t.Context(), 200, 16, w.hit)
		if len(errs) != 200 {
			t.Errorf("%d errors", len(errs))
		}
		if took := time.Since(w.start); took > 6*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// So does one that dies amid a build.
func TestRemoteThatDiesCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Millisecond, clienttest.Options{})
		w.fill(100)
		var done sync.Once
		errs := each(t.Context(), 100, 16, func(ctx context.Context, i int) error {
			if i == 50 {
				done.Do(w.server.Stop)
			}
			return w.hit(ctx, i)
		})
		if len(errs) < 40 || len(errs) > 70 {
			t.Errorf("%d errors", len(errs))
		}
		for _, err := range errs {
			if !errors.Is(err, client.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
		}
		if took := time.Since(w.start); took > 4*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// What a busy machine does with what it receives is not the server's time.
func TestSlowReadersAreNotTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Millisecond, clienttest.Options{})
		data := bytes.Repeat([]byte("rexwrap\n"), 256<<10)
		d := w.server.Put(data)
		slow := slowWriter{new(bytes.Buffer)}
		if err := w.store.Fetch(t.Context(), cas.Wanted{Digest: d, Into: slow}); err != nil || !bytes.Equal(slow.Bytes(), data) {
			t.Errorf("%d bytes, %v", slow.Len(), err)
		}
	})
}

// A slowWriter takes longer for each write than a call may.
type slowWriter struct{ *bytes.Buffer }

func (w slowWriter) Write(p []byte) (int, error) {
	<-time.After(7 * time.Second)
	return w.Buffer.Write(p)
}

// Actions at -j16, each with headers that others have too and a few small blobs
// of its own.
func TestFewQuestionsForManyActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Millisecond, clienttest.Options{})
		headers := make([]cas.Blob, 300)
		for i := range headers {
			text := bytes.Repeat(fmt.Appendf(nil, "header %d\n", i), 1000)
			headers[i] = cas.Bytes(digest.Of(text), text)
		}
		const n = 320
		errs := each(t.Context(), n, 16, func(ctx context.Context, i int) error {
			<-time.After(time.Duration(i%7) * 13 * time.Millisecond) // as compiles begin
			inputs := append([]cas.Blob(nil), headers[:100+i*200/n]...)
			for _, what := range []string{"source", "Command", "Action", "root"} {
				text := bytes.Repeat(fmt.Appendf(nil, "%s %d\n", what, i), 500)
				inputs = append(inputs, cas.Bytes(digest.Of(text), text))
			}
			return cas.Ensure(ctx, w.store, inputs...)
		})
		if len(errs) > 0 {
			t.Errorf("%d errors, the first is %v", len(errs), errs[0])
		}
		if q, u := w.server.Calls("FindMissingBlobs"), w.server.Calls("BatchUpdateBlobs"); q > n/10 || u > n+n/10 {
			t.Errorf("%d FindMissingBlobs, %d BatchUpdateBlobs for %d actions", q, u, n)
		}
		for _, h := range headers[:290] {
			if !w.server.Has(h.Digest) {
				t.Fatalf("%s is missing", h.Digest)
			}
		}
	})
}

// Actions under way must not keep short calls waiting where a proxy limits the
// streams of a connection.
func TestLongStreamsLeaveRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Millisecond, clienttest.Options{MaxStreams: 4})
		w.fill(1)
		w.server.Fault(&clienttest.Fault{Method: "Execute", Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				s, err := repb.NewExecutionClient(w.conn).Execute(client.Unhurried(ctx), &repb.ExecuteRequest{})
				if err == nil {
					_, err = s.Recv()
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Execute: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := w.hit(t.Context(), 0); err != nil {
			t.Error(err)
		}
		if took := time.Since(w.start); took > 100*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		cancel()
		all.Wait()
	})
}
