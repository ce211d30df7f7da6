package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/encseal/encseal/engine/logblock"
)

type versionCmd struct{}

func (*versionCmd) Help() string {
	return `
Example:

	encseal version
`
}

func (*versionCmd) Run(con *console) error {
	return con.print(fmt.Sprintf("encseal %s\n%s %s/%s\nschemes %s %s\n",
		version(debug.ReadBuildInfo()), runtime.Version(), runtime.GOOS, runtime.GOARCH, logblock.EncSeal1, logblock.BPI1))
}

// version is the module's version, with the revision that the build was made from where it is known.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	setting := make(map[string]string)
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	text := info.Main.Version
	if revision := setting["vcs.revision"]; revision != "" {
		text += " revision " + revision
		if setting["vcs.modified"] == "true" {
			text += ", modified"
		}
	}
	return text
}
