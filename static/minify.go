package static

import (
	"bytes"
	"path"
	"strings"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

// shrink returns what is sent of the file name: our own scripts and styles without what only their readers need, so that
// a comment costs a visitor nothing; everything else, and what is vendored, byte for byte. There is no build step: it is
// done when the program starts, in a few milliseconds.
func shrink(name string, content []byte) ([]byte, error) {
	if strings.HasPrefix(name, "vendor/") {
		return content, nil
	}
	m := minify.New()
	var err error
	var small bytes.Buffer
	switch path.Ext(name) {
	case ".js":
		err = js.Minify(m, &small, bytes.NewReader(content), nil)
	case ".css":
		err = css.Minify(m, &small, bytes.NewReader(content), nil)
	default:
		return content, nil
	}
	return small.Bytes(), err
}
