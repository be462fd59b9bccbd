# curl.sh 46 COUNT NAME: as lookup.c does it, by curl, a process for each lookup: the first address of each family that it tries.
#
# Sixteen at a time: where all addresses refuse it goes on for seconds, and it begins with the second family after 200 ms
# (RFC 8305 section 5).

if [ $# -eq 3 ]; then
    seq "$2" | xargs -P 16 -I LOOKUP sh "$0" "$3"
    exit
fi
curl --silent --verbose --max-time 1 "http://$1/" 2>&1 | awk '
    /Trying \[/ && !six { six = $3; gsub(/\[|\].*/, "", six) }
    /Trying [0-9]/ && !four { four = $3; sub(/:80.*/, "", four) }
    END { print four ? four : "-", six ? six : "-" }'
