package main

import (
	"errors"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
)

func (a *app) configCommand() *cli.Command {
	return &cli.Command{
		Name: "config", Usage: "show the settings and where they come from",
		Description: "The settings of a compile in this folder. REXWRAP_ variables come before the\n" +
			"project's .rexwrap.toml, that before the user's config.toml, that before the\n" +
			"default. A project file may set only what is harmless until it is trusted.\n\n" +
			"rexwrap config\nrexwrap config trust .",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return unknownVerb("config ", c.Args().First(), c.Command.Subcommands)
			}
			return a.config(c)
		},
		Subcommands: []*cli.Command{{
			Name: "trust", Usage: "trust a folder's .rexwrap.toml as it is now", ArgsUsage: "DIR",
			Before: func(c *cli.Context) error { return atMost(c, 1) },
			Action: a.trust,
		}},
	}
}

func (a *app) trust(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("config trust needs a folder: rexwrap config trust .")
	}
	path, err := config.Trust(a.env, c.Args().First())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return admin.Errorf(admin.ErrNotFound, "%v", err)
	case err != nil:
		return err
	}
	a.stdout.printf("%s is trusted until it changes\n", path)
	return nil
}

// A setting is one row of `config --json`.
type setting struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Origin  string `json:"origin"`
	Default bool   `json:"default"`
	Server  bool   `json:"server"`
	About   string `json:"about"`
}

// settingsReport is the whole of `config --json`. The keys are stable.
type settingsReport struct {
	SchemaVersion int       `json:"schema_version"`
	Settings      []setting `json:"settings"`
	Files         []string  `json:"files"`
	Errors        []string  `json:"errors"`
	Warnings      []string  `json:"warnings"`
}

func (a *app) settings() *settingsReport {
	s, err := config.NewLoader().Load(a.env, a.dir)
	r := &settingsReport{
		SchemaVersion: 1, Files: append([]string{}, s.Files()...), Errors: []string{},
		Warnings: append(append([]string{}, s.Warnings()...), config.Unknown(a.env)...),
	}
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			r.Errors = append(r.Errors, p.Error())
		}
	}
	for _, k := range config.Keys() {
		o := s.Origin(k.Name)
		r.Settings = append(r.Settings, setting{
			Key: k.Name, Value: s.Show(k.Name), Origin: o.String(), Default: o.Source == config.FromDefault,
			Server: k.Server, About: k.About,
		})
	}
	return r
}

func (a *app) config(c *cli.Context) error {
	r := a.settings()
	if err := a.answer(c, r, func() { a.stdout.settings(r) }); err != nil {
		return err
	}
	if len(r.Errors) > 0 {
		return exitError(exitFailed)
	}
	return nil
}

func (p *printer) settings(r *settingsReport) {
	for _, e := range r.Errors {
		p.printf("%s %s\n", p.red("error:"), e)
	}
	for _, w := range r.Warnings {
		p.printf("%s %s\n", p.yellow("warning:"), w)
	}
	for _, s := range r.Settings {
		value := s.Value
		if value == "" {
			value = "-"
		}
		value = cutEnd(value, maxColumns-26)
		if s.Default {
			p.printf("%-24s %s\n", s.Key, value)
			continue
		}
		p.printf("%s %s\n%26s %s\n", p.bold(padded(s.Key, 24)), value, "from", cut(s.Origin, maxColumns-27))
	}
}
