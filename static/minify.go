package static

import (
	"errors"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// shrink returns what is sent of the file name: our own scripts and styles without what only their readers need, so that
// a comment costs a visitor nothing; everything else, and what is vendored, byte for byte. There is no build step: it is
// done when the program starts, in some ten milliseconds.
func shrink(name string, content []byte) ([]byte, error) {
	loaders := map[string]api.Loader{".js": api.LoaderJS, ".css": api.LoaderCSS}
	loader, ok := loaders[path.Ext(name)]
	if !ok || strings.HasPrefix(name, "vendor/") {
		return content, nil
	}
	small := api.Transform(string(content), api.TransformOptions{
		Loader: loader, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Target: api.ESNext,
	})
	if len(small.Errors) > 0 {
		return nil, errors.New(small.Errors[0].Text)
	}
	return small.Code, nil
}
