// As lookup.c does it, by node's dns.lookup (getaddrinfo on a thread of its own) or, with a fourth argument, by dns.resolve
// (c-ares).

const { lookup, resolve4, resolve6 } = require('dns').promises;
const [kind, count, name, isResolver] = process.argv.slice(2);

async function all() {
    if (!isResolver) return await lookup(name, { all: true, verbatim: true, family: kind === '46' ? 0 : Number(kind) });
    const [fours, sixes] = await Promise.all([
        kind.includes('4') ? resolve4(name).catch(() => []) : [], kind.includes('6') ? resolve6(name).catch(() => []) : [],
    ]);
    return [...fours.map(address => ({ address, family: 4 })), ...sixes.map(address => ({ address, family: 6 }))];
}

(async () => {
    for (let left = Math.max(Number(count), 1); left > 0; left--) {
        const addresses = await all();
        if (count === '0') return addresses.forEach(entry => console.log(entry.address));
        const first = family => addresses.find(entry => entry.family === family)?.address ?? '-';
        console.log(first(4), first(6));
    }
})().catch(error => { console.error(error.message); process.exit(1); });
