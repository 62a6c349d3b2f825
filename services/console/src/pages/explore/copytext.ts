import type { CandidateTrace, DecisionMeta, ExplainRouteResponse, RuleTrace } from "@gen/routing/v1/routing_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import { cacheWord } from "../../parts/cacheword";
import { type Amount, nanosText } from "../../parts/money";
import { masked } from "../../parts/number";
import { utcText } from "../../parts/when";
import { bindWord, messageTypeWord, qualityWord, strategyWord } from "../../parts/words";
import type { Question } from "./question";
import { outcomeWords, rejectionSentence } from "./words";

/** The answer and the reasons for it, for a ticket: the number is masked. */
export function ticketText(question: Question, answer: ExplainRouteResponse, asked: Date): string {
  const lines = [
    `Route for ${masked(question.to)} (${String(question.to.length - 1)} digits), ${messageTypeWord(question.type)}, account ${question.accountId}`,
    `Asked at ${utcText(asked)}`,
  ];
  if (question.exclude.length > 0) lines.push(`Without operators ${question.exclude.join(", ")}`);
  lines.push("", ...answerLines(answer), "", "Rules, best first");
  for (const rule of answer.rules) lines.push(...ruleLines(rule, question.type));
  if (answer.rules.length === 0) lines.push("  none matches");
  if (answer.meta !== undefined) lines.push("", versions(answer.meta));
  return lines.join("\n");
}

function answerLines({ result }: ExplainRouteResponse): string[] {
  if (result.case === "decision") {
    const d = result.value;
    return [
      `Answer: ${d.operatorName}, ${priceText(d.unitPrice)}, prefix ${d.matchedPrefix}, ${strategyWord(d.strategy)}, ${d.host}:${String(d.port)} as ${d.systemId}`,
      ...d.alternates.map((one, at) => `  then ${String(at + 1)}. ${one.operatorName}, ${priceText(one.unitPrice)}, ${one.host}:${String(one.port)} as ${one.systemId}`),
    ];
  }
  if (result.case === "failure") return [`Answer: none. ${result.value.message} (${result.value.reason})`];
  return ["Answer: none was given."];
}

function ruleLines(rule: RuleTrace, type: MessageType): string[] {
  const { word, sentence } = outcomeWords(rule.outcome, type);
  const owner = rule.accountId === "" ? "global" : `account ${rule.accountId}`;
  return [
    `  ${rule.prefix} ${owner}, ${strategyWord(rule.strategy)}, rule ${rule.ruleId}: ${word}. ${sentence}`,
    ...rule.candidates.map((one) => `    ${candidateText(one, type)}`),
  ];
}

function candidateText(one: CandidateTrace, type: MessageType): string {
  const facts = [priceText(one.unitPrice), sourceText(one), bindWord(one.bindState), qualityWord(one.quality)].filter((fact) => fact !== "");
  const rejection = rejectionSentence(one.rejection, type);
  return `${one.rank === 0 ? "-" : String(one.rank)}. ${one.operatorName}: ${facts.join(", ")}${rejection === "" ? "" : `. ${rejection}`}`;
}

/** Where the price comes from. */
export function sourceText({ unitPrice, ratePrefix }: Pick<CandidateTrace, "unitPrice" | "ratePrefix">): string {
  if (unitPrice === undefined) return "";
  return ratePrefix === "" ? "price in the rule" : `rate ${ratePrefix}`;
}

function priceText(money: Amount | undefined): string {
  return money === undefined ? "no price" : `${nanosText(money.nanos)} ${money.currencyCode}`;
}

function versions(meta: DecisionMeta): string {
  const release = meta.releaseId === "" ? "no release" : `release ${meta.releaseId}`;
  return `Versions: ${release}, config ${String(meta.configVersion)}, rules ${String(meta.rulesVersion)}, algorithm ${String(meta.algoVersion)}, cache ${cacheWord(
    meta.cache,
  ).toLowerCase()}${meta.healthUnknown ? ", health of the chosen operator unknown" : ""}`;
}

/** The same question on a command line. It holds the whole number, and the name of the key instead of the key. */
export function curlText(question: Question, baseUrl: string, auth: boolean): string {
  const query = {
    to: question.to,
    accountId: question.accountId,
    messageType: `MESSAGE_TYPE_${MessageType[question.type]}`,
    ...(question.exclude.length === 0 ? {} : { excludeOperatorIds: question.exclude }),
  };
  return [
    `curl -s -X POST ${baseUrl}/trunkline.routing.v1.RoutingService/ExplainRoute`,
    "-H 'content-type: application/json'",
    ...(auth ? ['-H "authorization: Bearer $TRUNKLINE_API_KEY"'] : []),
    `-d '${JSON.stringify({ query })}'`,
  ].join(" \\\n  ");
}
