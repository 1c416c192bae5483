/// `GET .../limits` (wire reference 2.11).
enum LimitsDocument {
    private static let allowances = [
        "DailyBulkApiBatches": 15_000, "DailyBulkV2QueryJobs": 10_000, "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyStreamingApiEvents": 1_000_000, "DailyDurableStreamingApiEvents": 1_000_000, "StreamingApiConcurrentClients": 2_000,
        "DurableStreamingApiConcurrentClients": 2_000, "DailyDeliveredPlatformEvents": 50_000, "HourlyPublishedPlatformEvents": 250_000,
        "MonthlyPlatformEventsUsageEntitlement": 0, "DataStorageMB": 10_240, "FileStorageMB": 10_240, "DailyAsyncApexExecutions": 250_000,
        "HourlyTimeBasedWorkflow": 1_000, "SingleEmail": 5_000, "MassEmail": 5_000,
    ]

    /// What the org allows of a limit.
    static func allowance(_ name: String, _ state: OrgState) -> Int { state.settings.otherLimits[name] ?? allowances[name] ?? 0 }

    static func json(_ state: OrgState) -> JSON {
        func entry(_ limit: Int, used: Int) -> JSON { ["Max": .int(limit), "Remaining": .int(max(0, limit - used))] }
        var document: JSON = ["DailyApiRequests": entry(state.settings.dailyRequests, used: shownCalls(state))]
        let names = Set(allowances.keys).union(state.settings.otherLimits.keys)
        for name in names.sorted() {
            var used = state.settings.recordSettings?.usedLimits[name] ?? 0
            switch name {
            case "DailyBulkApiBatches": used += state.jobs.batches.used(state.now)
            case "DailyBulkV2QueryJobs": used += state.jobs.queryJobs.used(state.now)
            default: used += state.streamingUse(of: name)
            }
            document.set(name, entry(allowance(name, state), used: used))
        }
        return document
    }

    /// The values lag: a count is shown until it is as old as the setting says.
    private static func shownCalls(_ state: OrgState) -> Int {
        let lag = Int64(state.settings.recordSettings?.limitsLagSeconds ?? 0) * 1_000
        if lag > 0, let shown = state.upkeep.shownCalls, (0..<lag).contains(state.now - shown.at) { return shown.used }
        state.upkeep.shownCalls = (state.now, state.usedRequests)
        return state.usedRequests
    }
}
