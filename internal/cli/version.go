package cli

import (
	"runtime/debug"
	"strings"
)

// release is the version that the source is, as in CHANGELOG.md.
const release = "0.2.0"

// Version returns the release and, where Go's build recorded it, the commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			modified = when(s.Value == "true", ", modified")
		}
	}
	if revision == "" {
		return release
	}
	return strings.TrimSpace(release + " (" + revision[:min(12, len(revision))] + modified + ")")
}
