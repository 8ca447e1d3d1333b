package auth

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/handlers/connlimit"
)

// How often an address may be wrong: at once, and then one more in this time.
const (
	LoginBurst = 5
	LoginEvery = 10 * time.Second
)

// maxLoginAddresses bounds how many addresses are remembered; who was wrong longest
// ago is forgotten first.
const maxLoginAddresses = 4096

// loginLimit slows down who tries tokens.
type loginLimit struct {
	mu      *sync.Mutex
	byPlace map[string]*list.Element
	order   *list.List // of *guesser, wrong most recently first
}

type attempts struct {
	place string
	limit *rate.Limiter
}

func newLoginLimit() loginLimit {
	return loginLimit{mu: new(sync.Mutex), byPlace: map[string]*list.Element{}, order: list.New()}
}

// wrong counts a wrong attempt from ip. A wait means that the address has been wrong
// too often and should not come back before it is over. Who sends the right token is
// never asked to wait: others at the same address could keep them out for ever. What
// protects against guessing is the length of the token.
func (g *loginLimit) wrong(ip string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	place := connlimit.Network(ip)
	element, known := g.byPlace[place]
	if known {
		who, _ := element.Value.(*attempts)
		if left := who.limit.TokensAt(now); left < 1 {
			return time.Duration((1 - left) * float64(LoginEvery))
		}
	}
	if !known {
		element = g.order.PushFront(&attempts{place: place, limit: rate.NewLimiter(rate.Every(LoginEvery), LoginBurst)})
		g.byPlace[place] = element
		if g.order.Len() > maxLoginAddresses {
			oldest, _ := g.order.Remove(g.order.Back()).(*attempts)
			delete(g.byPlace, oldest.place)
		}
	}
	g.order.MoveToFront(element)
	who, _ := element.Value.(*attempts)
	who.limit.AllowN(now, 1)
	return 0
}
