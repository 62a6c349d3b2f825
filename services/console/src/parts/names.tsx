import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { Id } from "./number";
import classes from "./values.module.css";

/** Pages that are read at most: 20,000 names are more than any gateway has operators or accounts. */
const pages = 20;

/** Every page of a List method as one query, cached a minute. It is read anew when something of its service changes. */
function useWhole<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, input: MessageInitShape<I>) {
  const transport = useTransport();
  return useQuery({
    queryKey: [...createConnectQueryKey({ schema: method, input, transport, cardinality: "finite" }), "whole"],
    queryFn: async ({ signal }) => {
      const answers: MessageShape<O>[] = [];
      let pageToken = "";
      do {
        const answer = await callUnaryMethod(transport, method, { ...input, pageSize: 1000, pageToken }, { signal });
        answers.push(answer);
        pageToken = "nextPageToken" in answer && typeof answer.nextPageToken === "string" ? answer.nextPageToken : "";
      } while (pageToken !== "" && answers.length < pages);
      return answers;
    },
    staleTime: 60_000,
  });
}

export interface OperatorNames {
  /** undefined while loading, and for an operator that never was. */
  readonly name: (id: string) => string | undefined;
  readonly live: readonly Operator[];
  /** Deleted ones too: rules and decisions still name them. */
  readonly all: readonly Operator[];
  readonly loading: boolean;
}

/** One list of operators for the whole console. */
export function useOperatorNames(): OperatorNames {
  const { data, isPending } = useWhole(OperatorService.method.listOperators, { showDeleted: true });
  return useMemo(() => {
    const all = data?.flatMap((page) => page.operators) ?? [];
    const names = new Map(all.map((operator) => [operator.operatorId, operator.name]));
    const live = all.filter((operator) => operator.deleteTime === undefined);
    return { name: (id: string) => names.get(id), live, all, loading: isPending };
  }, [data, isPending]);
}

export interface AccountNames {
  readonly name: (id: string) => string | undefined;
  readonly accounts: readonly Account[];
  readonly loading: boolean;
}

export function useAccountNames(): AccountNames {
  const { data, isPending } = useWhole(AccountService.method.listAccounts, {});
  return useMemo(() => {
    const accounts = data?.flatMap((page) => page.accounts) ?? [];
    const names = new Map(accounts.map((account) => [account.accountId, account.name]));
    return { name: (id: string) => names.get(id), accounts, loading: isPending };
  }, [data, isPending]);
}

interface NameProps {
  readonly id: string;
  /** A link to its page, unless false. */
  readonly link?: boolean;
}

/** The name of an operator; its id while the name is not known. */
export function OperatorName({ id, link = true }: NameProps): ReactNode {
  const { name } = useOperatorNames();
  if (id === "") return <span aria-label="no operator">–</span>;
  return <Named id={id} name={name(id)} what="operator id" href={link ? `/operators/${id}` : undefined} />;
}

/** The name of an account; no account is the global scope. */
export function AccountName({ id, link = true }: NameProps): ReactNode {
  const { name } = useAccountNames();
  if (id === "") return <span>Global</span>;
  return <Named id={id} name={name(id)} what="account id" href={link ? `/access?account=${id}` : undefined} />;
}

interface NamedProps {
  readonly id: string;
  readonly name: string | undefined;
  readonly what: string;
  readonly href: string | undefined;
}

function Named({ id, name, what, href }: NamedProps): ReactNode {
  if (name === undefined) return <Id value={id} label={what} />;
  if (href === undefined) return <span title={id}>{name}</span>;
  return (
    <Link href={href} className={classes.link} title={id}>
      {name}
    </Link>
  );
}
