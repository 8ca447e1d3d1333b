// Command gallery shows every view in every state from fixed values: no
// project, no database. It serves them, or writes them to a folder.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"time"

	"wavedeck/static"
	"wavedeck/views/sample"
)

// policy is the one under which the console runs, so that the gallery shows what it forbids.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gallery", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8089", "address to serve at")
	out := flags.String("out", "", "write each view to this folder instead of serving")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pages, err := render(ctx)
	if err != nil {
		return err
	}
	if *out != "" {
		return write(*out, pages)
	}
	return serve(ctx, *addr, handler(pages), stdout)
}

// render makes a document of every case, by file name.
func render(ctx context.Context) (map[string][]byte, error) {
	cases := sample.Cases() //nolint:contextcheck // components get theirs when they are rendered
	pages := map[string][]byte{}
	chrome := sample.Layout("Gallery", "", "")
	var index bytes.Buffer
	if err := sample.Index(chrome, cases).Render(ctx, &index); err != nil {
		return nil, fmt.Errorf("render index: %w", err)
	}
	pages["index.html"] = index.Bytes()
	for _, c := range cases {
		view := c.View
		if !c.Page {
			view = sample.Frame(sample.Layout(c.Name, "", ""), c.About, c.View)
		}
		var page bytes.Buffer
		if err := view.Render(ctx, &page); err != nil {
			return nil, fmt.Errorf("render %s: %w", c.Name, err)
		}
		pages[c.Name+".html"] = page.Bytes()
	}
	return pages, nil
}

func write(dir string, pages map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func handler(pages map[string][]byte) http.Handler {
	assets := static.Handler("")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if strings.HasPrefix(r.URL.Path, static.Dir) {
			assets.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == "/events" {
			stream(w, r)
			return
		}
		name := path.Base(r.URL.Path)
		if name == "/" {
			name = "index.html"
		}
		page, ok := pages[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // a reader who left is nobody's error
	})
}

// stream is what a page hears when nothing happens: the indicator says "Live".
func stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	every := time.NewTicker(10 * time.Second)
	defer every.Stop()
	for {
		_, err := fmt.Fprintf(w, "event: ping\nid: 7f3a-18233\ndata: {\"now\":%d}\n\n", sample.Now.UnixMilli())
		if err == nil {
			err = http.NewResponseController(w).Flush()
		}
		if err != nil {
			return
		}
		select {
		case <-every.C:
		case <-r.Context().Done():
			return
		}
	}
}

func serve(ctx context.Context, addr string, h http.Handler, stdout io.Writer) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "gallery at http://%s/\n", listener.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
