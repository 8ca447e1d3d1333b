package views

import (
	"crypto/sha256"
	"encoding/base64"
)

// ExportMark stands where the parts of an exported run are written.
const ExportMark = `<div id="parts"></div>`

// ExportView is what is around an exported run.
type ExportView struct {
	Layout
	RunID  string
	Style  []byte // all of its looks
	Policy string
	Parts  []ExportSection
}

// ExportSection is a part of the file.
type ExportSection struct{ Anchor, Title string }

func (v ExportView) style() []byte {
	return append(append([]byte("<style>"), v.Style...), "</style>"...)
}

// ExportPolicy lets a file use its own looks, pictures that stand in it, and nothing else.
func ExportPolicy(style []byte) string {
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
}
