/// What of a streamed request body waits to be written.
struct Upload {
    /// More is taken while less than that waits.
    let limit: Int
    var isComplete = false
    /// curl was told to pause, because nothing was there.
    var isStarved = false
    private var pending: [UInt8] = []
    private var taken = 0

    init(limit: Int) { self.limit = limit }

    var hasRoom: Bool { pending.count - taken < limit }
    var isEmpty: Bool { taken == pending.count }

    mutating func append(_ bytes: [UInt8]) {
        if isEmpty {
            pending = bytes
        } else {
            pending.removeFirst(taken)
            pending += bytes
        }
        taken = 0
    }

    /// Moves what fits into `target`.
    mutating func move(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, pending.count - taken)
        pending.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<taken + count])) }
        taken += count
        return count
    }
}
