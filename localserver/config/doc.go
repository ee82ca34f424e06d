// Package config reads the settings: which there are, where they may stand,
// what they may be, and where each value came from.
//
// Sources, the first one that sets a key counts:
//
//	environment   REXWRAP_<KEY>, "." spelled "_"
//	project file  .rexwrap.toml in the nearest of the working directory and
//	              its parents that has one
//	user file     $XDG_CONFIG_HOME/rexwrap/config.toml (~/.config; %APPDATA%)
//	default
//
//	file  = TOML ; (* keys: see Keys; unknown ones are errors *)
//	bool  = "true" | "yes" | "on" | "1" | "false" | "no" | "off" | "0" ;
//	size  = number [ "K" | "M" | "G" | "T" ] [ "i" ] [ "B" ] ; (* i: 1024 *)
//	time  = number unit { number unit } | "0" ;
//	unit  = "ms" | "s" | "m" | "h" | "d" | "w" ;
//	share = number [ "%" ] ;                          (* 0 to 100 *)
//	list  = TOML array; in the environment: items, "," between them ;
//	paths = TOML array; in the environment: as PATH ;
//	map   = TOML table; in the environment: NAME=VALUE, "," between them ;
//
// Relative paths are below the folder of the file that names them, in the
// environment below the working directory. A path may start with "~/".
//
// Keys of the server (cache_dir and its like) count only in the environment
// that the server was started with and in the user file. A project file comes
// with a clone, so it may set only what cannot run programs, send sources away
// or redirect the cache; its other keys are ignored with a warning until its
// content is trusted (Trust). Both kinds of files must belong to the user or to
// root and must not be writable by everybody.
//
// Used by localserver for the server and for each call, and by the verbs config
// and doctor. Values of variables and of secret settings appear in no error.
package config
