-- Forecasts of cost cannot be emptied: a row trigger does not see TRUNCATE.

create trigger cost_forecast_no_truncate before truncate on cost_forecast for each statement execute function refuse_change();
