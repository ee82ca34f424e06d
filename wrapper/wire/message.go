package wire

// Stream says what one of the wrapper's standard streams is.
type Stream uint8

// The kinds of streams that matter for what compilers write.
const (
	StreamOther    Stream = iota // pipe, file, /dev/null, closed
	StreamTerminal               // isatty holds
)

// A Call asks the server what to do with one start of a compiler.
type Call struct {
	Version uint32
	Program string // absolute path of the real compiler
	Argv    []string
	Dir     string // getcwd
	PWD     string // $PWD where it names Dir, else empty
	Env     []string
	Umask   uint32
	// Namespace identifies the mount namespace (readlink /proc/self/ns/mnt),
	// empty where the system has none.
	Namespace string
	Pid       uint32
	// Token is unique to this call. Temp files are named by TempName.
	Token string
	// Started is when the wrapper started, in nanoseconds since 1970: what
	// was modified after it may have changed under the compiler.
	Started        int64
	Stdout, Stderr Stream
	// SameFile is set when stdout and stderr are one file or one terminal.
	SameFile bool
	// Columns is the width of the terminal, 0 where there is none.
	Columns uint32
	// CanCancel is set where the wrapper can obey Run.Hold and Cancel: it
	// finds all that a compiler has started.
	CanCancel bool
}

// TempName returns the name of the call's nth temp file in the directory of
// target: hidden, and in one directory with target, so that a rename suffices.
func TempName(target, token string, n int) string {
	dir := ""
	for i := len(target) - 1; i >= 0; i-- {
		if target[i] == '/' || target[i] == '\\' && pathHasBackslash {
			dir = target[:i+1]
			break
		}
	}
	return dir + ".rexwrap-" + token + "-" + decimal(n)
}

func decimal(n int) string {
	var buf [20]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(buf[i:])
		}
	}
}

// A Notice tells the server of a call that the wrapper ran by itself.
type Notice struct {
	Version uint32
	Reason  string
	Program string
	Dir     string
	Started int64 // as in Call
	// Build is the id of the build that the call belongs to, empty for none.
	Build string
}

// A Chunk is what came through one of the compiler's streams in one piece.
type Chunk struct {
	Fd   uint8 // 1 or 2
	Data []byte
}

// Ran tells the server how the compiler ended.
type Ran struct {
	Status uint32 // exit status; 0 if Signal is not
	Signal uint32 // signal that killed it
	// Chunks are stdout and stderr in the order they came, complete unless
	// Truncated. Where both are one file every chunk has Fd 1.
	Chunks    []Chunk
	Truncated bool
	// Headers is what -H added to stderr, where Run asked for it.
	Headers           []byte
	UserTime, SysTime int64 // microseconds
	WallTime          int64 // microseconds
	MaxRSS            int64 // bytes
	// Killed is set when the wrapper itself was told to stop.
	Killed bool
	// Cancelled is set when the compiler was ended by Cancel. All that it
	// has started is dead, nothing that it said was passed on, and the call
	// is where it was before Run; its outputs may be there in part.
	Cancelled bool
}

// Committed tells the server that every file of Done is in its place.
type Committed struct{}

// Admin carries a management request; Body is the server's business.
type Admin struct {
	Version uint32
	Verb    string
	Body    []byte
}

// Heartbeat tells the wrapper that the server is at work.
type Heartbeat struct{}

// StepAside tells the wrapper to run the compiler unchanged, by exec.
type StepAside struct {
	Reason string
	Arg    string
}

// Run tells the wrapper to run the compiler as a child and to report.
type Run struct {
	Program string
	Argv    []string
	Env     []string // NAME=value to set in addition
	// FilterHeaders is set when -H was added: the wrapper takes its lines
	// out of stderr and reports them in Ran.Headers.
	FilterHeaders bool
	// Hide are texts that the wrapper takes out of stderr: an argument that
	// was added, in the ways in which the compiler quotes it.
	Hide []string
	// Instead are what stands in the places of the first of Hide: names of
	// files that the compiler was told to use for others.
	Instead []string
	// Hold makes the wrapper keep what the compiler says until Done, which
	// then brings no chunks, so that Cancel can end it without a trace. What
	// is too long to be kept, or goes to a terminal past the wrapper, is
	// passed on, and Cancel is not obeyed from then on.
	Hold bool
}

// Cancel tells the wrapper to end a compiler that runs with Hold. The answer is
// Ran, as without it; it may have been sent before Cancel came.
type Cancel struct{}

// Away tells the wrapper that a worker has the call, so that this machine's part
// of a build may go on with something else: the wrapper lends its jobserver
// token to the others until it ends.
type Away struct{}

// Prepare announces the temp files that may come to exist.
type Prepare struct{ Temps []string }

// A File is one output that the wrapper puts in its place.
type File struct {
	Target string
	// Temp is renamed to Target. Where it is empty, Data is written through
	// to Target, which is then no regular file, or one whose inode stays.
	Temp string
	Data []byte
	// Keep keeps Target's inode: open, write over, cut, close.
	Keep bool
}

// Done ends a call.
type Done struct {
	// Status is the exit status to end with. After Run it is ignored.
	Status uint32
	Chunks []Chunk
	// Files are put in place in this order, the object last.
	Files []File
	// Remove are stale outputs that the compiler would have removed.
	Remove []string
	// ChunksLast has the files in their places before anything is said:
	// rustc's callers start the next compile at a notice of one.
	ChunksLast bool
	// Touch are files that the compiler would have written to, with others.
	// What is in them stays; they have changed now, after everything else.
	Touch []string
}

// AdminReply answers Admin. Replies with More set are followed by another.
type AdminReply struct {
	More  bool
	Error string
	Body  []byte
}

// Type implements Message.
func (*Call) Type() Type       { return TypeCall }
func (*Notice) Type() Type     { return TypeNotice }
func (*Ran) Type() Type        { return TypeRan }
func (*Committed) Type() Type  { return TypeCommitted }
func (*Admin) Type() Type      { return TypeAdmin }
func (*Heartbeat) Type() Type  { return TypeHeartbeat }
func (*StepAside) Type() Type  { return TypeStepAside }
func (*Run) Type() Type        { return TypeRun }
func (*Prepare) Type() Type    { return TypePrepare }
func (*Done) Type() Type       { return TypeDone }
func (*AdminReply) Type() Type { return TypeAdminReply }
func (*Cancel) Type() Type     { return TypeCancel }
func (*Away) Type() Type       { return TypeAway }

func (m *Call) append(e *encoder) {
	e.u32(m.Version)
	e.string(m.Program)
	e.strings(m.Argv)
	e.string(m.Dir)
	e.string(m.PWD)
	e.strings(m.Env)
	e.u32(m.Umask)
	e.string(m.Namespace)
	e.u32(m.Pid)
	e.string(m.Token)
	e.i64(m.Started)
	e.u8(uint8(m.Stdout))
	e.u8(uint8(m.Stderr))
	e.bool(m.SameFile)
	e.u32(m.Columns)
	e.bool(m.CanCancel)
}

func (m *Call) decode(d *decoder) {
	*m = Call{
		Version: d.u32(), Program: d.string(), Argv: d.strings(), Dir: d.string(), PWD: d.string(),
		Env: d.strings(), Umask: d.u32(), Namespace: d.string(), Pid: d.u32(), Token: d.string(),
		Started: d.i64(), Stdout: Stream(d.u8()), Stderr: Stream(d.u8()), SameFile: d.bool(), Columns: d.u32(),
		CanCancel: d.bool(),
	}
}

func (m *Notice) append(e *encoder) {
	e.u32(m.Version)
	e.string(m.Reason)
	e.string(m.Program)
	e.string(m.Dir)
	e.i64(m.Started)
	e.string(m.Build)
}

func (m *Notice) decode(d *decoder) {
	*m = Notice{
		Version: d.u32(), Reason: d.string(), Program: d.string(),
		Dir: d.string(), Started: d.i64(), Build: d.string(),
	}
}

func (m *Ran) append(e *encoder) {
	e.u32(m.Status)
	e.u32(m.Signal)
	e.chunks(m.Chunks)
	e.bool(m.Truncated)
	e.bytes(m.Headers)
	e.i64(m.UserTime)
	e.i64(m.SysTime)
	e.i64(m.WallTime)
	e.i64(m.MaxRSS)
	e.bool(m.Killed)
	e.bool(m.Cancelled)
}

func (m *Ran) decode(d *decoder) {
	*m = Ran{
		Status: d.u32(), Signal: d.u32(), Chunks: d.chunks(), Truncated: d.bool(), Headers: d.bytes(),
		UserTime: d.i64(), SysTime: d.i64(), WallTime: d.i64(), MaxRSS: d.i64(), Killed: d.bool(), Cancelled: d.bool(),
	}
}

func (*Committed) append(*encoder) {}
func (*Committed) decode(*decoder) {}

func (m *Admin) append(e *encoder) {
	e.u32(m.Version)
	e.string(m.Verb)
	e.bytes(m.Body)
}

func (m *Admin) decode(d *decoder) {
	*m = Admin{Version: d.u32(), Verb: d.string(), Body: d.bytes()}
}

func (*Heartbeat) append(*encoder) {}
func (*Heartbeat) decode(*decoder) {}

func (*Cancel) append(*encoder) {}
func (*Cancel) decode(*decoder) {}

func (*Away) append(*encoder) {}
func (*Away) decode(*decoder) {}

func (m *StepAside) append(e *encoder) {
	e.string(m.Reason)
	e.string(m.Arg)
}

func (m *StepAside) decode(d *decoder) {
	*m = StepAside{Reason: d.string(), Arg: d.string()}
}

func (m *Run) append(e *encoder) {
	e.string(m.Program)
	e.strings(m.Argv)
	e.strings(m.Env)
	e.bool(m.FilterHeaders)
	e.strings(m.Hide)
	e.strings(m.Instead)
	e.bool(m.Hold)
}

func (m *Run) decode(d *decoder) {
	*m = Run{Program: d.string(), Argv: d.strings(), Env: d.strings(), FilterHeaders: d.bool(), Hide: d.strings(), Instead: d.strings(), Hold: d.bool()}
}

func (m *Prepare) append(e *encoder) { e.strings(m.Temps) }
func (m *Prepare) decode(d *decoder) { m.Temps = d.strings() }

func (m *Done) append(e *encoder) {
	e.u32(m.Status)
	e.chunks(m.Chunks)
	e.u32(uint32(len(m.Files)))
	for _, f := range m.Files {
		e.string(f.Target)
		e.string(f.Temp)
		e.bytes(f.Data)
		e.bool(f.Keep)
	}
	e.strings(m.Remove)
	e.bool(m.ChunksLast)
	e.strings(m.Touch)
}

func (m *Done) decode(d *decoder) {
	*m = Done{Status: d.u32(), Chunks: d.chunks()}
	if n := d.count(13); n > 0 {
		m.Files = make([]File, n)
		for i := range m.Files {
			m.Files[i] = File{Target: d.string(), Temp: d.string(), Data: d.bytes(), Keep: d.bool()}
		}
	}
	m.Remove = d.strings()
	m.ChunksLast = d.bool()
	m.Touch = d.strings()
}

func (m *AdminReply) append(e *encoder) {
	e.bool(m.More)
	e.string(m.Error)
	e.bytes(m.Body)
}

func (m *AdminReply) decode(d *decoder) {
	*m = AdminReply{More: d.bool(), Error: d.string(), Body: d.bytes()}
}

func (e *encoder) chunks(list []Chunk) {
	e.u32(uint32(len(list)))
	for _, c := range list {
		e.u8(c.Fd)
		e.bytes(c.Data)
	}
}

func (d *decoder) chunks() []Chunk {
	n := d.count(5)
	if n == 0 {
		return nil
	}
	list := make([]Chunk, n)
	for i := range list {
		list[i] = Chunk{Fd: d.u8(), Data: d.bytes()}
	}
	return list
}
