package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	clean := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: "false"}}
	dirty := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		ok       bool
		want     string
	}{
		{"v1.2.3", nil, true, "v1.2.3"},
		{"(devel)", clean, true, "(devel) revision 0123abcd"},
		{"(devel)", dirty, true, "(devel) revision 0123abcd, modified"},
		{"", nil, false, "(unknown)"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}
		if got := version(info, c.ok); got != c.want {
			t.Errorf("version %q: got %q, want %q", c.version, got, c.want)
		}
	}
}
