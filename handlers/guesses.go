package handlers

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/handlers/connlimit"
)

// How often an address may be wrong: at once, and then one more in this time.
const (
	guessBurst = 5
	guessEvery = 10 * time.Second
)

// maxGuessers bounds how many addresses are remembered; who was wrong longest
// ago is forgotten first.
const maxGuessers = 4096

// guesses slows down who tries tokens.
type guesses struct {
	mu      *sync.Mutex
	byPlace map[string]*list.Element
	order   *list.List // of *guesser, wrong most recently first
}

type guesser struct {
	place string
	limit *rate.Limiter
}

func newGuesses() guesses {
	return guesses{mu: new(sync.Mutex), byPlace: map[string]*list.Element{}, order: list.New()}
}

// wrong counts a wrong attempt from ip. A wait means that the address has been wrong
// too often and should not come back before it is over. Who sends the right token is
// never asked to wait: others at the same address could keep them out for ever. What
// keeps out who guesses is the length of the token.
func (g *guesses) wrong(ip string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	place := connlimit.Network(ip)
	element, known := g.byPlace[place]
	if known {
		who, _ := element.Value.(*guesser)
		if left := who.limit.TokensAt(now); left < 1 {
			return time.Duration((1 - left) * float64(guessEvery))
		}
	}
	if !known {
		element = g.order.PushFront(&guesser{place: place, limit: rate.NewLimiter(rate.Every(guessEvery), guessBurst)})
		g.byPlace[place] = element
		if g.order.Len() > maxGuessers {
			oldest, _ := g.order.Remove(g.order.Back()).(*guesser)
			delete(g.byPlace, oldest.place)
		}
	}
	g.order.MoveToFront(element)
	who, _ := element.Value.(*guesser)
	who.limit.AllowN(now, 1)
	return 0
}
