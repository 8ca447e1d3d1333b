package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// How large what people write may become: a package, a file, the root of the handlers, and
// a type that does things. Rows and views have as many fields as there are columns to show.
const (
	mostOfPackage  = 5000
	mostOfFile     = 400
	mostOfHandlers = 600
	mostMethods    = 40
	mostFields     = 12
	fewMethods     = 6 // up to which a type counts as data
)

// larger are the types that may be larger, each with the reason.
func larger() map[string]string {
	return map[string]string{
		"views.Paths":                "an address for each method: it is a table",
		"store/diagnose.RunFacts":    "a field for each fact that is recorded of a run",
		"store/diagnose.stepHistory": "a field for each fact that is recorded of a step",
		"runner/engine.executor":     "all that one run of the local engine has in its hands",
	}
}

// typeSize is what a type has.
type typeSize struct{ methods, fields int }

// written reports whether people write a file: it is neither generated nor a test.
func written(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "testdata/")
}

func TestNothingGrowsTooLarge(t *testing.T) {
	root := os.DirFS("../..")
	packages, types := map[string]int{}, map[string]*typeSize{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !written(name) {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		lines := strings.Count(string(text), "\n")
		packages[path.Dir(name)] += lines
		if lines > mostOfFile {
			t.Errorf("%s has %d lines, more than %d", name, lines, mostOfFile)
		}
		return measure(path.Dir(name), name, text, types)
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range packages {
		if lines > mostOfPackage || name == "handlers" && lines > mostOfHandlers {
			t.Errorf("package %s has %d lines", name, lines)
		}
	}
	excused := larger()
	for _, name := range slices.Sorted(maps.Keys(types)) {
		size := types[name]
		large := size.methods > mostMethods || size.methods > fewMethods && size.fields > mostFields
		if _, may := excused[name]; large != may {
			t.Errorf("%s has %d methods and %d fields; larger() in this test says %q of it", name, size.methods, size.fields, excused[name])
		}
	}
	if len(packages) < 50 || len(types) < 300 {
		t.Errorf("only %d packages and %d types were looked at", len(packages), len(types))
	}
}

// measure counts the methods and the fields of the types in a file.
func measure(pkg, name string, text []byte, types map[string]*typeSize) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	of := func(name string) *typeSize {
		name = strings.TrimPrefix(pkg+"."+name, "./")
		if types[name] == nil {
			types[name] = &typeSize{}
		}
		return types[name]
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				of(receiver(d.Recv.List[0].Type)).methods++
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok {
					if fields, ok := s.Type.(*ast.StructType); ok {
						of(s.Name.Name).fields = fields.Fields.NumFields()
					}
				}
			}
		}
	}
	return nil
}

// receiver is the name of the type that a method is of.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
