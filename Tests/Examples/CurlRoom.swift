// The worked example on the page of the room Curl, which is not there without libcurl's headers.

#if canImport(Curl)
    import Curl
    import Testing

    @Suite("The example of the room Curl")
    struct CurlRoomExample {
        @Test("Curl says why a request has no reply")
        func curl() {
            guard let loop = CurlLoop() else { return }
            let request = CurlRequest(url: "https://127.0.0.1:1/etcdserverpb.KV/Range")
            #expect(loop.start(7, request, body: []))

            var others: [CurlLoop.Watched] = []
            var end: CurlEnd?
            while end == nil, loop.wait(&others, milliseconds: 1000) {
                end = loop.ended()  // of transfer 7, without a status: nobody listens there
            }

            #expect(end?.number == 7 && end?.status == nil && end?.message.isEmpty == false)
        }
    }
#endif
