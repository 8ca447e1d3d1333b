package sqlite

import "testing"

// openPlain opens the database at path for reading.
func openPlain(t testing.TB, path string) *DB {
	t.Helper()
	d, err := openAs(t.Context(), path, modeReadOnly, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
