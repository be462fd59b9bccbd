// As lookup.c does it, by the resolver that is written in Go.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
)

func main() {
	network := map[string]string{"4": "ip4", "6": "ip6", "46": "ip"}[os.Args[1]]
	count, _ := strconv.Atoi(os.Args[2])
	resolver := net.Resolver{PreferGo: true}
	for left := count; left > 0 || left == count; left-- {
		addresses, err := resolver.LookupNetIP(context.Background(), network, os.Args[3])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		four, six := "-", "-"
		for _, address := range addresses {
			if count == 0 {
				fmt.Println(address.Unmap())
			}
			if address.Unmap().Is4() && four == "-" {
				four = address.Unmap().String()
			}
			if !address.Unmap().Is4() && six == "-" {
				six = address.String()
			}
		}
		if count > 0 {
			fmt.Println(four, six)
		}
	}
}
