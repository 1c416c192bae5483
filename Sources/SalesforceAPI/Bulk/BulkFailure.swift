/// Why a job or batch failed, as Bulk says it: `InvalidBatch : Field name not found : Foo__c` (API reference 4.2).
enum BulkFailure {
    static func error(_ text: String?, state: String, operation: String) -> SalesforceError {
        guard let text, !text.isEmpty else {
            return SalesforceError(.restartQuery, message: "the job ended as \(state) without a reason", operation: operation)
        }
        let parts = text.split(separator: ":", maxSplits: 1).map { $0.trimmed }
        guard parts.count == 2, !parts[0].contains(" ") else {
            return SalesforceError(.restartQuery, message: text, operation: operation)
        }
        let (code, message) = (parts[0], parts[1])
        // Also the sign of missing field-level security (API reference 9.2, trap 29).
        if message.hasPrefix("Field name not found") {
            return SalesforceError(.configuration, code: "INVALID_FIELD", message: message, operation: operation)
        }
        let disposition = RequestErrorTable.disposition(code: code, message: message, status: 400, envelope: .bulk1)
        // A job that failed for a passing reason is not the same request again but a new job.
        return SalesforceError(
            disposition == .inDoubt ? .restartQuery : disposition, code: code, message: message, operation: operation)
    }
}

extension BulkQueryJob {
    /// Why the job failed; nil while it has not.
    public var failure: SalesforceError? {
        isFailed ? BulkFailure.error(errorMessage, state: state, operation: "bulk query of \(object ?? "records")") : nil
    }
}

extension Bulk1Batch {
    /// Why the batch failed; nil while it has not.
    public var failure: SalesforceError? {
        state == "Failed" ? BulkFailure.error(stateMessage, state: state, operation: "batch of a bulk query") : nil
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
