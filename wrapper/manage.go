package wrapper

// manage runs rexd, which has the management verbs, in our place.
func manage(words []string, env environ) int {
	rexd, err := findServer(env)
	if err != nil {
		return complain(err)
	}
	cmd := command{program: rexd, argv: append([]string{rexd}, words...), env: env}
	return cmd.become(env)
}

// findServer returns the path of rexd: beside this program, else where
// REXWRAP_REXD says, else on PATH.
func findServer(env environ) (string, error) {
	const name = "rexd" + exeSuffix
	own := executable()
	if beside := own[:len(own)-len(base(own))] + name; own != "" && runnable(beside) == "" {
		return beside, nil
	}
	f := finder{path: env.get("PATH"), dir: workingDir()}
	if named := env.get("REXWRAP_REXD"); named != "" {
		path, _, err := f.find(named)
		return path, err
	}
	path, _, err := f.find(name)
	return path, err
}
