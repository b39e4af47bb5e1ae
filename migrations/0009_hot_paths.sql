-- What effects look up again and again: invoices of a deal, of a payer and of a plan item, lines of a payer.
create index invoice_deal on invoice (deal_id);
create index invoice_bill_to on invoice (bill_to_id, state);
create index invoice_plan_item on invoice (billing_plan_item_id);
create index contract_line_bill_to on contract_line (bill_to_id);
