/// Parameters laid out as libpq takes them: NUL-terminated texts behind one another, NULL as no text.
struct ParameterBuffer {
    private var text: [CChar] = []
    private var offsets: [Int?] = []

    /// - Throws: `invalidParameter` for a value with a NUL byte, which libpq would cut there without a word.
    init(_ parameters: [PostgresParameter]) throws(PostgresError) {
        for (index, parameter) in parameters.enumerated() {
            let added = switch parameter {
            case .null, .text(nil): true
            case .text(let value?): append(value.utf8)
            case .bytes(let value): append(value)
            }
            guard added else {
                throw PostgresError(code: .invalidParameter, serverMessage: "$\(index + 1) contains a NUL byte")
            }
            if case .null = parameter { offsets.append(nil) }
            if case .text(nil) = parameter { offsets.append(nil) }
        }
    }

    private mutating func append(_ bytes: some Collection<UInt8>) -> Bool {
        guard !bytes.contains(0) else { return false }
        offsets.append(text.count)
        text.append(contentsOf: bytes.lazy.map { CChar(bitPattern: $0) })
        text.append(0)
        return true
    }

    /// Calls `body` with an array of pointers that is valid during the call only.
    func withPointers<R>(_ body: (_ count: Int32, _ values: [UnsafePointer<CChar>?]) -> R) -> R {
        text.withUnsafeBufferPointer { text in
            body(Int32(offsets.count), offsets.map { offset in offset.flatMap { text.baseAddress?.advanced(by: $0) } })
        }
    }
}
