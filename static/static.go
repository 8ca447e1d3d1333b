// Package static holds the files a page loads: the vendored htmx and our stylesheet, scripts and pictures.
//
// Each is served under a name that carries a hash of its content (app.css as app.3f9a1c2b4d5e.css), so a browser may
// keep it for ever and still gets the new one after an upgrade.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Dir is the path below the base path at which Handler serves.
const Dir = "/static/"

// minified/ is written by `go run ./cmd/dev gen` from the scripts and stylesheets in this folder.
// vendor/ also holds licences and checksums, which are not for the browser.
//
//go:embed minified/*.css minified/*.js *.json *.svg vendor/*.js
var embedded embed.FS

// assets never changes after start.
//
//nolint:gochecknoglobals // read-only, as what it is made of
var assets = mustLoad(embedded)

// asset is one embedded file in the forms in which it is sent.
type asset struct {
	path        string // Dir and the hashed name
	contentType string
	hash        string
	plain       []byte
	gzipped     func() []byte // compressed at the first call
}

// catalogue finds an asset by its own name (app.css) and by its hashed one.
type catalogue struct {
	byName, byHashedName map[string]*asset
}

// URL returns the address of the embedded file name ("app.css", "htmx.min.js") for a server mounted at base ("" or
// "/deck"). A name that is not embedded gives an address that answers 404.
func URL(base, name string) string {
	return base + assets.path(name)
}

func (c catalogue) path(name string) string {
	if a, ok := c.byName[name]; ok {
		return a.path
	}
	return Dir + name
}

func mustLoad(files fs.FS) catalogue {
	c, err := load(files)
	if err != nil {
		panic(err) // what is embedded is fixed when the program is built: a test sees this, no user does
	}
	return c
}

// load reads every file in files, whatever its folder: the folders do not appear in the addresses.
func load(files fs.FS) (catalogue, error) {
	c := catalogue{byName: map[string]*asset{}, byHashedName: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		return c.add(path.Base(file), content)
	})
	if err == nil {
		err = c.addScoped()
	}
	if err != nil {
		return catalogue{}, fmt.Errorf("load static files: %w", err)
	}
	return c, nil
}

func (c catalogue) add(name string, content []byte) error {
	contentType, err := contentTypeOf(name)
	if err != nil {
		return err
	}
	if _, taken := c.byName[name]; taken {
		return fmt.Errorf("two files are named %s", name)
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	hashedName := strings.TrimSuffix(name, ext) + "." + hash + ext
	a := &asset{
		path:        Dir + hashedName,
		contentType: contentType,
		hash:        hash,
		plain:       content,
		gzipped:     sync.OnceValue(func() []byte { return Compress(content, gzip.BestCompression) }),
	}
	c.byName[name], c.byHashedName[hashedName] = a, a
	return nil
}

// contentTypeOf does not ask package mime, whose answers depend on the files of the machine.
func contentTypeOf(name string) (string, error) {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8", nil
	case ".js":
		return "text/javascript; charset=utf-8", nil
	case ".json":
		return "application/json", nil
	case ".svg":
		return "image/svg+xml", nil
	default:
		return "", fmt.Errorf("%s has no content type", name)
	}
}
